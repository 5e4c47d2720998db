import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./command.ts";
import { apt } from "./packages.ts";
import { virtualMachineRoot } from "./paths.ts";

const EMULATOR_PACKAGE = "qemu-system-x86";
/** The kernel for virtual machines: the smallest, with what is needed built in. Depends on the one with a version. */
const KERNEL_PACKAGE = "linux-image-cloud-amd64";
const EMULATOR = "usr/bin/qemu-system-x86_64";
const LIBRARIES = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
const FIRMWARE = ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"];

/** What a virtual machine is run with. */
export interface MachineParts {
  readonly emulator: string;
  /** Folders in which the emulator finds its libraries and its firmware. */
  readonly libraries: readonly string[];
  readonly firmware: readonly string[];
  readonly kernel: string;
  readonly modules: string;
}

/** Unpacks the emulator and the kernel into the lab's directory, unless they are there; nothing of it is installed. */
export async function unpackMachine(directory: string, say: (line: string) => void): Promise<MachineParts> {
  const root = virtualMachineRoot(directory);
  if (!existsSync(root)) {
    say(`unpacking ${EMULATOR_PACKAGE}, ${KERNEL_PACKAGE}`);
    const [debs, unpacked] = [`${root}.debs`, `${root}.unpacked`];
    for (const folder of [debs, unpacked]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
    await download(debs);
    for (const deb of readdirSync(debs).filter((name) => name.endsWith(".deb"))) {
      await mustRun("dpkg", ["-x", join(debs, deb), unpacked]);
    }
    // Moved into place only when whole, so that an interrupted run starts again.
    renameSync(unpacked, root);
    rmSync(debs, { recursive: true, force: true });
  }
  // A machine that has the emulator installed is given no second one.
  const unpackedEmulator = join(root, EMULATOR);
  const [release] = readdirSync(join(root, "lib/modules"));
  if (release === undefined) throw new Error(`${KERNEL_PACKAGE} brought no kernel into ${root}`);
  return {
    emulator: existsSync(unpackedEmulator) ? unpackedEmulator : join("/", EMULATOR),
    libraries: LIBRARIES.map((folder) => join(root, folder)),
    firmware: FIRMWARE.flatMap((folder) => [join(root, folder), join("/", folder)]).filter(existsSync),
    kernel: join(root, `boot/vmlinuz-${release}`),
    modules: join(root, "lib/modules", release),
  };
}

async function download(folder: string): Promise<void> {
  mkdirSync(join(folder, "partial"));
  const options = [
    `Dir::Cache::archives=${folder}`,
    // The sandbox's user may not enter the lab's directory.
    "APT::Sandbox::User=root",
    // Only fetched, so that another apt at work is no hindrance.
    "Debug::NoLocking=true",
  ].flatMap((option) => ["-o", option]);
  await apt(["update", "-qq"]);
  await apt([
    ...options,
    "install",
    "-y",
    "-qq",
    "--no-install-recommends",
    "--download-only",
    EMULATOR_PACKAGE,
  ]);
  // Without what it depends on: that is for machines that boot from it by themselves.
  const depends = await mustRun("apt-cache", ["depends", KERNEL_PACKAGE]);
  const kernel = /^\s*Depends: (linux-image-\S+)$/m.exec(depends)?.[1];
  if (kernel === undefined) throw new Error(`${KERNEL_PACKAGE} depends on no kernel:\n${depends}`);
  await apt([...options, "download", "-qq", kernel], { cwd: folder });
}
