import type { Project, Service } from "../core/types.ts";

/**
 * The part of a project that means something without containers: no images, networks or volumes to be made first,
 * and no names, ports or addresses of the host that two replicas would contend for.
 */
export function asProcesses(project: Project): Project {
  return { ...project, networks: [], volumes: [], services: project.services.map(serviceAsProcess) };
}

function serviceAsProcess({ singleReplicaReason: _reason, template, ...service }: Service): Service {
  const { image: _image, ...rest } = template;
  return { ...service, template: { ...rest, networks: [], mounts: [] } };
}
