import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  cgroupDirectories,
  containerCgroup,
  parseCgroupMounts,
  processEngineCgroup,
} from "../../collector/read/cgroup-paths.ts";

const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";

const V2_MOUNTS = "29 22 0:25 / /sys/fs/cgroup rw,nosuid shared:8 - cgroup2 cgroup2 rw,nsdelegate";
const CO_MOUNTED = [
  "30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:10 - cgroup cgroup rw,cpu,cpuacct",
  "31 25 0:27 / /sys/fs/cgroup/memory rw,relatime shared:11 - cgroup cgroup rw,memory",
  "32 25 0:28 / /sys/fs/cgroup/cpuset rw,relatime shared:12 - cgroup cgroup rw,cpuset",
].join("\n");
const HYBRID = `${CO_MOUNTED}\n33 25 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`;

function directories(cgroup: string, mountinfo: string, owner = containerCgroup(ID)) {
  return cgroupDirectories(cgroup, parseCgroupMounts(mountinfo), owner);
}

describe("the directories of a container", () => {
  test("on v2 under systemd are the scope's", () => {
    assert.deepEqual(directories(`0::/system.slice/docker-${ID}.scope\n`, V2_MOUNTS), {
      unified: `/sys/fs/cgroup/system.slice/docker-${ID}.scope`,
    });
  });

  test("are the container's own when its first process moved itself further down", () => {
    assert.deepEqual(directories(`0::/system.slice/docker-${ID}.scope/init.scope\n`, V2_MOUNTS), {
      unified: `/sys/fs/cgroup/system.slice/docker-${ID}.scope`,
    });
  });

  test("on v1 with co-mounted controllers lead both to the same place", () => {
    const cgroup = `4:memory:/docker/${ID}\n3:cpu,cpuacct:/docker/${ID}\n2:cpuset:/docker/${ID}\n`;
    assert.deepEqual(directories(cgroup, CO_MOUNTED), {
      cpu: `/sys/fs/cgroup/cpu,cpuacct/docker/${ID}`,
      cpuacct: `/sys/fs/cgroup/cpu,cpuacct/docker/${ID}`,
      memory: `/sys/fs/cgroup/memory/docker/${ID}`,
    });
  });

  test("on a hybrid host are those of v1 and the one of v2", () => {
    const cgroup = `4:memory:/docker/${ID}\n3:cpu,cpuacct:/docker/${ID}\n0::/docker/${ID}\n`;
    assert.deepEqual(directories(cgroup, HYBRID), {
      cpu: `/sys/fs/cgroup/cpu,cpuacct/docker/${ID}`,
      cpuacct: `/sys/fs/cgroup/cpu,cpuacct/docker/${ID}`,
      memory: `/sys/fs/cgroup/memory/docker/${ID}`,
      unified: `/sys/fs/cgroup/unified/docker/${ID}`,
    });
  });

  test("are never the root's, where a process without a cgroup of its own is", () => {
    assert.deepEqual(directories("4:memory:/\n3:cpu,cpuacct:/\n0::/\n", HYBRID), {});
  });

  test("are not those of another container that has the pid by now", () => {
    assert.deepEqual(directories(`0::/system.slice/docker-${"a".repeat(64)}.scope\n`, V2_MOUNTS), {});
  });

  test("are the innermost of a container in a container", () => {
    const outer = "b".repeat(64);
    assert.deepEqual(directories(`0::/docker/${outer}/docker/${ID}\n`, V2_MOUNTS), {
      unified: `/sys/fs/cgroup/docker/${outer}/docker/${ID}`,
    });
  });

  test("are found where only a part of the hierarchy is mounted", () => {
    const mounts = "29 22 0:25 /docker /host/cgroup\\040files ro - cgroup2 cgroup2 rw";
    assert.deepEqual(directories(`0::/docker/${ID}\n`, mounts), { unified: `/host/cgroup files/${ID}` });
    assert.deepEqual(directories(`0::/dockerized/${ID}\n`, mounts), {});
  });

  test("are unknown outside of the reader's cgroup namespace", () => {
    assert.deepEqual(directories(`0::/../${ID}\n`, V2_MOUNTS), {});
  });

  test("may hold colons in their path", () => {
    assert.deepEqual(directories(`0::/a:b/${ID}\n`, V2_MOUNTS), { unified: `/sys/fs/cgroup/a:b/${ID}` });
  });

  test("are none at all in text that makes no sense", () => {
    assert.deepEqual(directories("\n:::\nno such thing\n1:cpu\n", "garbage\n\n - \n"), {});
  });
});

describe("the directories of a process", () => {
  test("are those that the process engine made, per controller", () => {
    const cgroup = "4:memory:/x/flyball/one/web-1/deeper\n3:cpu,cpuacct:/\n2:cpuset:/flyball\n";
    assert.deepEqual(directories(cgroup, CO_MOUNTED, processEngineCgroup), {
      memory: "/sys/fs/cgroup/memory/x/flyball/one/web-1",
    });
  });

  test("are none where the marker is not followed by an instance and a replica", () => {
    assert.deepEqual(directories("0::/user.slice/flyball/one\n", V2_MOUNTS, processEngineCgroup), {});
    assert.deepEqual(directories("0::/user.slice/session-1.scope\n", V2_MOUNTS, processEngineCgroup), {});
  });
});
