import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";

export type EngineName = "process" | "docker";

const PROJECT_LABEL = "com.docker.compose.project";
const PING_TIMEOUT_MS = 2_000;

/** True when a Docker Engine answers where `DOCKER_HOST` says, else at its usual place. */
export async function dockerAnswers(docker: Docker): Promise<boolean> {
  const ping = docker.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([ping, sleep(PING_TIMEOUT_MS, false, { ref: false })]);
}

/** @throws Error when somebody else's project of that name is on the engine: the demo would take it over */
export async function assertNoProject(docker: Docker, project: string): Promise<void> {
  const found = await containersOf(docker, project);
  if (found.length === 0) return;
  const names = found.map(({ Names }) => Names[0]?.slice(1) ?? "?").join(", ");
  throw new Error(
    `this engine already runs a project named ${project} (${names}), and the demo uses that name. ` +
      `If it is left from an earlier demo, remove it: docker rm -f ${names.replaceAll(",", "")}`,
  );
}

function containersOf(docker: Docker, project: string): Promise<Docker.ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label: [`${PROJECT_LABEL}=${project}`] } });
}
