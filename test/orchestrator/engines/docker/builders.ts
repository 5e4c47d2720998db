import { serviceIdOf } from "../../../../core/ids.ts";
import type { Project, ReplicaTemplate, Service } from "../../../../core/types.ts";
import type { InspectedContainer } from "../../../../orchestrator/engines/docker/wire.ts";
import { network } from "../../builders.ts";

/** A template with nothing in it but an image. */
export function aTemplate(parts: Partial<ReplicaTemplate> = {}): ReplicaTemplate {
  return {
    image: "shop/web:1.4",
    environment: {},
    labels: {},
    ports: [],
    exposedPorts: [],
    mounts: [],
    networks: [],
    restart: { condition: "any", delayMs: 1000 },
    stopGraceMs: 10_000,
    resources: {},
    container: {},
    ...parts,
  };
}

export function aService(project: string, name: string, parts: Partial<Service> = {}): Service {
  return {
    id: serviceIdOf(project, name),
    project,
    name,
    template: aTemplate(),
    templateHash: "hash-1",
    initialReplicas: 1,
    businessLabels: {},
    dependsOn: [],
    ...parts,
  };
}

export function aProject(name: string, services: readonly Service[], parts: Partial<Project> = {}): Project {
  return {
    name,
    workingDirectory: "/srv/shop",
    composeFiles: ["/srv/shop/compose.yaml"],
    services,
    networks: [],
    volumes: [],
    ...parts,
  };
}

export function aNetwork(project: string, key: string): Project["networks"][number] {
  return network({ key, name: `${project}_${key}` });
}

export const CONTAINER_ID = "0123456789abcdef".repeat(4);

/** A running container as `docker compose up` makes it: service web of project shop, number 1. */
export function anInspection(parts: {
  readonly state?: Partial<InspectedContainer["State"]>;
  readonly config?: Partial<InspectedContainer["Config"]>;
  readonly host?: Partial<InspectedContainer["HostConfig"]>;
  readonly network?: Partial<InspectedContainer["NetworkSettings"]>;
  readonly name?: string;
}): InspectedContainer {
  return {
    Id: CONTAINER_ID,
    Name: parts.name ?? "/shop-web-1",
    Created: "2026-01-02T03:04:05.000000006Z",
    Image: "sha256:1111",
    State: {
      Status: "running",
      Pid: 4242,
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: "2026-01-02T03:04:06Z",
      FinishedAt: "0001-01-01T00:00:00Z",
      ...parts.state,
    },
    Config: {
      Image: "shop/web:1.4",
      Hostname: CONTAINER_ID.slice(0, 12),
      Domainname: "",
      Env: ["A=1"],
      Cmd: ["serve"],
      Entrypoint: null,
      Labels: {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.config-hash": "c0ffee",
      },
      ...parts.config,
    },
    HostConfig: { NetworkMode: "shop_default", ...parts.host },
    NetworkSettings: { Ports: {}, Networks: { shop_default: { IPAddress: "172.18.0.2" } }, ...parts.network },
  };
}
