import type { Project, ReplicaTemplate, Service } from "../../core/types.ts";
import type { Draft } from "./draft.ts";
import { type ResourceKind, resourceKey } from "./keys.ts";
import type { Seen } from "./seen.ts";

/** Makes images, networks and volumes be there before the replicas that need them, each once in a plan. */
export class Needs {
  readonly #seen: Seen;
  readonly #draft: Draft;
  /** The planned action that makes a resource, by its key. */
  readonly #made = new Map<string, number>();

  constructor(seen: Seen, draft: Draft) {
    this.#seen = seen;
    this.#draft = draft;
  }

  /**
   * The planned actions that a new replica has to wait for; undefined when it cannot be made now.
   * @param pullsAnew the image is pulled though it is there
   * @param hasImage replicas run on it, whether or not it was looked for
   */
  of(
    project: Project,
    service: Service,
    template: ReplicaTemplate,
    pullsAnew: boolean,
    hasImage = false,
  ): readonly number[] | undefined {
    const cause = `${service.name} needs it`;
    const needs: number[] = [];
    const need = (kind: ResourceKind, name: string, make: () => number | string): boolean => {
      const action = this.#action(service, kind, name, make);
      if (action !== undefined) needs.push(action);
      return action !== undefined;
    };
    const isExternal = (known: readonly { name: string; external: boolean }[], name: string) =>
      known.find((one) => one.name === name)?.external ?? true;

    const { image } = template;
    if (image !== undefined && !hasImage && (pullsAnew || !this.#seen.images.has(image))) {
      const pull = () =>
        template.container.pullPolicy === "never"
          ? `image ${image} is not there, and pull_policy is never`
          : this.#draft.push({ kind: "pull-image", image, after: [], cause });
      if (!need("image", image, pull)) return undefined;
    }
    for (const { network } of template.networks) {
      if (this.#seen.networks.has(network)) continue;
      const make = () =>
        isExternal(project.networks, network)
          ? `network ${network} is external and does not exist`
          : this.#draft.push({ kind: "create-network", project: project.name, network, after: [], cause });
      if (!need("network", network, make)) return undefined;
    }
    for (const { type, source: volume } of template.mounts) {
      if (type !== "volume" || volume === undefined || this.#seen.volumes.has(volume)) continue;
      const make = () =>
        isExternal(project.volumes, volume)
          ? `volume ${volume} is external and does not exist`
          : this.#draft.push({ kind: "create-volume", project: project.name, volume, after: [], cause });
      if (!need("volume", volume, make)) return undefined;
    }
    return needs;
  }

  /** Pulls the image of a service that takes the newest, whatever is there. */
  newestImage(service: Service, image: string): void {
    const cause = `${service.name} takes the newest each time it is applied`;
    this.#action(service, "image", image, () =>
      this.#draft.push({ kind: "pull-image", image, after: [], cause }),
    );
  }

  #action(
    service: Service,
    kind: ResourceKind,
    name: string,
    make: () => number | string,
  ): number | undefined {
    const key = resourceKey(kind, name);
    const planned = this.#made.get(key);
    if (planned !== undefined) return planned;
    if (this.#seen.isBusyResource(key)) {
      this.#draft.hold(service.id, "resource", `waits for ${kind} ${name}`);
      return undefined;
    }
    if (this.#draft.holdForRetry(service.id, key)) return undefined;
    const made = make();
    if (typeof made === "string") {
      this.#draft.hold(service.id, "resource", made);
      return undefined;
    }
    this.#made.set(key, made);
    return made;
  }
}
