/** `project_service`, as Swarm names a service of a stack. */
export type ServiceId = string;

/** The engine's own id: a container id, or the id that the process engine gave a process group. */
export type ReplicaId = string;

export function serviceIdOf(project: string, name: string): ServiceId {
  return `${project}_${name}`;
}
