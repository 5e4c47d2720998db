import { execFile } from "node:child_process";

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end. Rejects only when it could not be started or was ended by a signal. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { ...options, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr, exitCode: 0 });
        else if (typeof error.code === "number") resolve({ stdout, stderr, exitCode: error.code });
        else reject(error);
      },
    );
    child.stdin?.end();
  });
}

/** Runs a program that must succeed and gives what it printed. The error quotes the end of what it complained. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { stdout, stderr, exitCode } = await runCommand(program, args, options);
  if (exitCode === 0) return stdout;
  const complaint = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n  ");
  throw new Error(`${program} ${args.join(" ")} ended with ${exitCode}:\n  ${complaint}`);
}
