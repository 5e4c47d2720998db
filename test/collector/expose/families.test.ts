import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FAMILIES } from "../../../collector/expose/families.ts";

/** What public boards and rules ask of an exporter: the names, types and labels that they were written for. */
const KNOWN = `
container_last_seen gauge
container_start_time_seconds gauge
container_creation_time_seconds gauge
container_health_state gauge
container_scrape_error gauge
container_cpu_usage_seconds_total counter cpu
container_cpu_user_seconds_total counter
container_cpu_system_seconds_total counter
container_cpu_cfs_periods_total counter
container_cpu_cfs_throttled_periods_total counter
container_cpu_cfs_throttled_seconds_total counter
container_cpu_load_average_10s gauge
container_memory_usage_bytes gauge
container_memory_working_set_bytes gauge
container_memory_max_usage_bytes gauge
container_memory_rss gauge
container_memory_cache gauge
container_memory_swap gauge
container_memory_mapped_file gauge
container_memory_failcnt counter
container_memory_failures_total counter failure_type scope
container_memory_total_active_file_bytes gauge
container_memory_total_inactive_file_bytes gauge
container_memory_file_dirty_bytes gauge
container_memory_file_writeback_bytes gauge
container_memory_workingset_refault_anon_total counter
container_memory_workingset_refault_file_total counter
container_oom_events_total counter
container_network_receive_bytes_total counter interface
container_network_receive_packets_total counter interface
container_network_receive_packets_dropped_total counter interface
container_network_receive_errors_total counter interface
container_network_transmit_bytes_total counter interface
container_network_transmit_packets_total counter interface
container_network_transmit_packets_dropped_total counter interface
container_network_transmit_errors_total counter interface
container_fs_usage_bytes gauge device
container_fs_limit_bytes gauge device
container_fs_inodes_free gauge device
container_fs_inodes_total gauge device
container_fs_reads_bytes_total counter device
container_fs_reads_total counter device
container_fs_writes_bytes_total counter device
container_fs_writes_total counter device
container_blkio_device_usage_total counter device operation
container_tasks_state gauge state
container_processes gauge
container_threads gauge
container_threads_max gauge
container_file_descriptors gauge
container_sockets gauge
container_ulimits_soft gauge ulimit
container_spec_cpu_period gauge
container_spec_cpu_quota gauge
container_spec_cpu_shares gauge
container_spec_memory_limit_bytes gauge
container_spec_memory_swap_limit_bytes gauge
container_spec_memory_reservation_limit_bytes gauge
container_pressure_cpu_waiting_seconds_total counter
container_pressure_cpu_stalled_seconds_total counter
container_pressure_memory_waiting_seconds_total counter
container_pressure_memory_stalled_seconds_total counter
container_pressure_io_waiting_seconds_total counter
container_pressure_io_stalled_seconds_total counter
machine_cpu_cores gauge
machine_memory_bytes gauge
cadvisor_version_info gauge cadvisorRevision cadvisorVersion dockerVersion kernelVersion osVersion
process_cpu_seconds_total counter
process_start_time_seconds gauge
node_cpu_seconds_total counter cpu mode
node_load1 gauge
node_load5 gauge
node_load15 gauge
node_boot_time_seconds gauge
node_memory_MemTotal_bytes gauge
node_memory_MemFree_bytes gauge
node_memory_MemAvailable_bytes gauge
node_memory_Buffers_bytes gauge
node_memory_Cached_bytes gauge
node_memory_SwapTotal_bytes gauge
node_memory_SwapFree_bytes gauge
node_memory_Active_anon_bytes gauge
node_disk_read_bytes_total counter device
node_disk_written_bytes_total counter device
node_disk_reads_completed_total counter device
node_disk_writes_completed_total counter device
node_disk_io_time_seconds_total counter device
node_filesystem_size_bytes gauge device fstype mountpoint
node_filesystem_free_bytes gauge device fstype mountpoint
node_filesystem_avail_bytes gauge device fstype mountpoint
node_network_receive_bytes_total counter device
node_network_transmit_bytes_total counter device
node_pressure_cpu_waiting_seconds_total counter
node_pressure_memory_waiting_seconds_total counter
node_pressure_memory_stalled_seconds_total counter
node_pressure_io_waiting_seconds_total counter
node_pressure_io_stalled_seconds_total counter
`;

/** Counters and gauges that are known by names which break the rule. */
const IRREGULAR = ["container_memory_failcnt", "container_fs_inodes_total"];

describe("the table of families", () => {
  const byName = new Map(FAMILIES.map((family) => [family.name, family]));

  for (const line of KNOWN.trim().split("\n")) {
    const [name = "", type, ...labels] = line.split(" ");
    test(`has ${name} as boards know it`, () => {
      const family = byName.get(name);
      assert.deepEqual([family?.type, family?.labels], [type, labels]);
    });
  }

  test("has each name once, with its unit and a help text of one line", () => {
    assert.equal(byName.size, FAMILIES.length);
    for (const { name, help, unit } of FAMILIES) {
      assert.match(name, /^[a-z_][a-zA-Z0-9_]*$/u);
      assert.match(help, /^\S[^\n]*\.$/u, name);
      const inName = /_(?<unit>seconds|bytes|ratio)(?:_total)?$/u.exec(name)?.groups?.["unit"];
      if (inName !== undefined) assert.equal(unit, inName, name);
    }
  });

  test("calls counters, and nothing else, …_total", () => {
    for (const { name, type } of FAMILIES) {
      if (IRREGULAR.includes(name)) continue;
      assert.equal(name.endsWith("_total"), type === "counter", name);
    }
  });
});
