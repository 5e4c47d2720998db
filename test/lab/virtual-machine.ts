import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { mustRun } from "./command.ts";
import type { MachineParts } from "./machine-packages.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
/** What of the project a program may import there; nothing of node_modules. */
const SOURCES = ["package.json", "core", "collector", "test/lab"];
const MEMORY_MIB = 1024;
const MIB = 1024 * 1024;
const FILESYSTEM_MIB = 224;
/** Behind the filesystem, for what the program prints: the kernel speaks on the console too, in the middle of others' words. */
const PRINTED_MIB = 32;
const LIMIT_MS = 140_000;

/** Everything on the kernel's defaults, as a systemd of today mounts it; a disk at /disk. */
const INIT = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for module in /modules/*.ko; do insmod $module; done
mke2fs /dev/nvme0n1 ${FILESYSTEM_MIB * 1024} > /dev/null
mount -t ext4 /dev/nvme0n1 /disk
node /flyball/PROGRAM > /printed
dd if=/printed of=/dev/nvme0n1 bs=1M seek=${FILESYSTEM_MIB} conv=fsync
poweroff -f
`;

/**
 * Boots an emulated machine with a cgroup v2 kernel that runs one program of the project under this Node, and is gone
 * with it. Gives what it printed. It needs no rights, no /dev/kvm, and nothing of the machine that it runs on changes.
 */
export async function runInMachine(parts: MachineParts, program: string): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "flyball-machine-"));
  try {
    const [initrd, disk] = [join(work, "initrd"), join(work, "disk")];
    await makeInitrd(join(work, "root"), initrd, parts, program);
    writeFileSync(disk, "");
    truncateSync(disk, (FILESYSTEM_MIB + PRINTED_MIB) * MIB);
    const said = await boot(parts, initrd, disk);
    const printed = readFileSync(disk).subarray(FILESYSTEM_MIB * MIB);
    const length = printed.indexOf(0);
    if (length === 0) throw new Error(`the program in the virtual machine printed nothing:\n${said}`);
    return printed.toString("utf8", 0, length);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function makeInitrd(root: string, initrd: string, parts: MachineParts, program: string): Promise<void> {
  for (const folder of ["bin", "proc", "sys", "dev", "tmp", "disk", "modules", "flyball"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  for (const applet of (await mustRun("/bin/busybox", ["--list"])).split("\n")) {
    const link = join(root, "bin", basename(applet));
    if (applet !== "" && applet !== "busybox" && !existsSync(link)) symlinkSync("busybox", link);
  }
  copyFileSync(process.execPath, join(root, "bin/node"));
  const libraries = (await mustRun("ldd", [process.execPath])).matchAll(/(?:=> |^\s)(\/\S+)/gm);
  for (const [, library = ""] of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  for (const source of SOURCES) {
    cpSync(join(PROJECT, source), join(root, "flyball", source), { recursive: true });
  }
  copyFileSync(join(parts.modules, "kernel/drivers/net/veth.ko"), join(root, "modules/veth.ko"));
  writeFileSync(join(root, "init"), INIT.replace("PROGRAM", program));
  for (const file of ["init", "bin/node", "bin/busybox"]) chmodSync(join(root, file), 0o755);
  await mustRun("sh", ["-c", 'cd "$0" && find . | busybox cpio -o -H newc > "$1"', root, initrd]);
  rmSync(root, { recursive: true });
}

/** Until the machine powers itself off; what was said on its console. */
function boot(parts: MachineParts, initrd: string, disk: string): Promise<string> {
  const words = [
    ...parts.firmware.flatMap((folder) => ["-L", folder]),
    ...[
      "-nodefaults",
      "-no-user-config",
      "-no-reboot",
      "-display",
      "none",
      "-monitor",
      "none",
      "-serial",
      "stdio",
    ],
    // Emulated also where the processor could do it: the same everywhere.
    ...["-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", String(MEMORY_MIB)],
    ...["-kernel", parts.kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=-1"],
    ...["-drive", `if=none,id=disk,file=${disk},format=raw`, "-device", "nvme,drive=disk,serial=flyball"],
  ];
  const env = { ...process.env, LD_LIBRARY_PATH: parts.libraries.join(":") };
  return new Promise((done, reject) => {
    const options = { env, timeout: LIMIT_MS, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024 } as const;
    const child = execFile(parts.emulator, words, options, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else reject(new Error(`the virtual machine failed: ${error.message}\n${stdout}\n${stderr}`));
    });
    child.stdin?.end();
  });
}
