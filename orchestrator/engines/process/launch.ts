/** A service's template as a process: what would be run, and what stands in the way. */
import { resolve } from "node:path";
import type { Project, Service } from "../../../core/types.ts";
import { DEFAULT_PATH, findCommand, whyNotDirectory } from "./command.ts";
import { signalNumber } from "./group.ts";
import type { Launch } from "./record.ts";
import { type Accounts, resolveUser, type UserIds } from "./user.ts";

/** The daemon's own circumstances, which its replicas inherit. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly accounts: Accounts;
}

export interface LaunchProblem {
  /** The key in the compose file, below the service. */
  readonly field: string;
  readonly message: string;
  /** Nothing a later moment could change: the file itself has to. */
  readonly lasting: boolean;
}

export interface LaunchPlan {
  readonly launch: Launch;
  /** Any of these, and it cannot start now. */
  readonly problems: readonly LaunchProblem[];
}

const INHERITED = ["PATH", "HOME", "LANG", "TZ", "USER"] as const;

export function planLaunch(service: Service, project: Project, host: Host): LaunchPlan {
  const { template } = service;
  const problems: LaunchProblem[] = [];
  const problem = (field: string, lasting: boolean, message: string): void => {
    problems.push({ field, message, lasting });
  };

  const user = template.user === undefined ? undefined : resolveUser(template.user, host.accounts);
  if (typeof user === "string") problem("user", true, user);
  const known = typeof user === "object" ? user : undefined;
  const enforced = known !== undefined && host.uid === 0;

  const environment = { ...inherited(host, enforced ? known : undefined), ...template.environment };
  const workingDirectory = resolve(project.workingDirectory, template.workingDirectory ?? ".");
  const badDirectory = whyNotDirectory(workingDirectory);
  if (badDirectory !== undefined) problem("working_dir", false, badDirectory);

  const argv = [...(template.entrypoint ?? []), ...(template.command ?? [])];
  const [command] = argv;
  if (command === undefined) {
    const only =
      template.image === undefined ? "" : `: image ${template.image} alone cannot run without Docker`;
    problem("command", true, `the process engine needs a command or an entrypoint${only}`);
  } else if (badDirectory === undefined) {
    const found = findCommand(command, environment["PATH"] ?? DEFAULT_PATH, workingDirectory);
    if ("problem" in found) problem("command", false, found.problem);
  }

  const stopSignal = template.stopSignal ?? "SIGTERM";
  if (signalNumber(stopSignal) === undefined)
    problem("stop_signal", true, `there is no signal ${stopSignal}`);

  const targetPort = template.ports[0]?.target ?? firstPort(template.exposedPorts) ?? template.probe?.port;
  const { limitCores, limitMemoryBytes, limitPids } = template.resources;
  const launch: Launch = {
    argv,
    environment,
    workingDirectory,
    ...(enforced ? { user: { uid: known.uid, gid: known.gid } } : {}),
    stopSignal,
    stopGraceMs: template.stopGraceMs,
    ...(targetPort === undefined ? {} : { targetPort }),
    ...(limitCores === undefined ? {} : { limitCores }),
    ...(limitMemoryBytes === undefined ? {} : { limitMemoryBytes }),
    ...(limitPids === undefined ? {} : { limitPids }),
    ...(template.healthcheck === undefined ? {} : { healthcheck: template.healthcheck }),
    notEnforced: userNotEnforced(known, template.user, host),
  };
  return { launch, problems };
}

function userNotEnforced(user: UserIds | undefined, asked: string | undefined, host: Host): string[] {
  if (user === undefined || host.uid === 0 || user.uid === host.uid) return [];
  return [`user: Flyball does not run as root and cannot become ${asked}`];
}

function inherited(host: Host, user: ReturnType<typeof resolveUser> | undefined): Record<string, string> {
  const base = INHERITED.flatMap((name): [string, string][] => {
    const value = host.environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  const entry = typeof user === "object" ? user.entry : undefined;
  const own = entry === undefined ? {} : { HOME: entry.home, USER: entry.name };
  return { PATH: DEFAULT_PATH, ...Object.fromEntries(base), ...own };
}

function firstPort(exposed: readonly string[]): number | undefined {
  const port = Number.parseInt(exposed[0] ?? "", 10);
  return Number.isInteger(port) ? port : undefined;
}
