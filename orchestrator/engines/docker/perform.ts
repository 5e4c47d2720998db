import { FlyballError } from "../../../core/errors.ts";
import type { Action, ReplicaId, Service } from "../../../core/types.ts";
import type { ActionContext } from "../../engine.ts";
import {
  createNetwork,
  createVolume,
  existingNetworks,
  removeContainer,
  removeNetwork,
  startContainer,
  stopContainer,
} from "./api.ts";
import { type CreateParts, createReplica, discardUnstarted, finishCreation } from "./create.ts";
import { aboutReplica, isBeingRemoved, isGone, statusOf } from "./errors.ts";
import { networkLabels, type ReplicaIdentity, volumeLabels } from "./labels.ts";
import { pullImage } from "./pull.ts";
import { stopSeconds } from "./template-body.ts";

export interface PerformParts extends CreateParts {
  readonly instanceId: string;
  /** Those whose stop is under way; observing shows them as stopping. */
  readonly stopping: Set<ReplicaId>;
  /** One at a time: engines that start two at once may pick the same port of a range for both. */
  readonly rangeStarts: (start: () => Promise<void>) => Promise<void>;
}

type Kind = Action["kind"];
type ActionOf<K extends Kind> = Extract<Action, { readonly kind: K }>;
type Perform<K extends Kind> = (
  parts: PerformParts,
  action: ActionOf<K>,
  context: ActionContext,
  signal: AbortSignal,
) => Promise<ReplicaId | undefined>;

const TABLE: { readonly [K in Kind]: Perform<K> } = {
  "pull-image": async ({ connection, memory }, { image }, _context, signal) => {
    await pullImage(connection, image, signal);
    // The event that says so may arrive after what waits for the image has begun.
    memory.forgetImages();
    return undefined;
  },

  "create-network": async ({ connection }, { network }, { project }, signal) => {
    const definition = project.networks.find(({ name }) => name === network);
    if (definition === undefined) throw notInProject("network", network, project.name);
    if ((await existingNetworks(connection, [network], { signal })).length > 0) return undefined;
    const { driver, driverOptions, labels, internal, attachable, enableIpv6, subnets } = definition;
    const request = {
      Name: network,
      CheckDuplicate: true,
      Driver: driver ?? "bridge",
      Options: { ...driverOptions },
      Labels: { ...labels, ...networkLabels(project, definition.key) },
      Internal: internal,
      Attachable: attachable,
      EnableIPv6: enableIpv6,
      ...(subnets.length === 0 ? {} : { IPAM: { Config: subnets.map(ipamConfig) } }),
    };
    await createNetwork(connection, request, { signal }).catch(unless((error) => statusOf(error) === 409));
    return undefined;
  },

  "create-volume": async ({ connection }, { volume }, { project }, signal) => {
    const definition = project.volumes.find(({ name }) => name === volume);
    if (definition === undefined) throw notInProject("volume", volume, project.name);
    const { driver, driverOptions, labels, key } = definition;
    const request = {
      Name: volume,
      Driver: driver ?? "local",
      DriverOpts: { ...driverOptions },
      Labels: { ...labels, ...volumeLabels(project, key) },
    };
    await createVolume(connection, request, { signal });
    return undefined;
  },

  "remove-network": async ({ connection }, { network }, { project }, signal) => {
    const definition = project.networks.find(({ name }) => name === network);
    if (definition?.external === true) {
      throw new FlyballError(
        "INTERNAL",
        `${network} was made by somebody else and is not ${project.name}'s to remove`,
      );
    }
    await removeNetwork(connection, network, { signal }).catch(unless(isGone));
    return undefined;
  },

  "create-replica": async (parts, { service, slot, cloneOf }, context, signal) => {
    const identity = identityOf(parts, service, slot, context);
    return createReplica(parts, identity, cloneOf, signal).catch((error: unknown) => {
      throw aboutReplica(error, service, slot);
    });
  },

  "start-replica": async (parts, { service, slot, replica }, context, signal) => {
    const { connection, instanceId } = parts;
    const id = replica ?? context.createdReplica;
    if (id === undefined)
      throw new FlyballError("INTERNAL", `${service}, slot ${slot}: nothing was created to start`);
    try {
      // One that this very plan created is whole.
      if (replica !== undefined && context.service !== undefined) {
        await finishCreation(parts, identityOf(parts, service, slot, context), replica, signal);
      }
      const start = (): Promise<void> =>
        startContainer(connection, id, { signal }).catch(unless((error) => statusOf(error) === 304));
      await (choosesFromRange(context.service) ? parts.rangeStarts(start) : start());
    } catch (error) {
      await discardUnstarted(parts, id, instanceId);
      throw aboutReplica(error, service, slot);
    }
    return undefined;
  },

  "stop-replica": async ({ connection, stopping }, { replica, service, slot }, context, signal) => {
    const graceMs = context.service?.template.stopGraceMs;
    stopping.add(replica);
    try {
      const graceSeconds = graceMs === undefined ? undefined : stopSeconds(graceMs);
      await stopContainer(connection, replica, graceSeconds, { signal }).catch(
        unless((error) => statusOf(error) === 304 || isGone(error) || isBeingRemoved(error)),
      );
    } catch (error) {
      throw aboutReplica(error, service, slot);
    } finally {
      stopping.delete(replica);
    }
    return undefined;
  },

  "remove-replica": async ({ connection }, { replica, service, slot }, _context, signal) => {
    const remove = (force: boolean): Promise<void> =>
      removeContainer(connection, replica, force, { signal }).catch(
        unless((error) => isGone(error) || isBeingRemoved(error)),
      );
    try {
      // The plain removal refuses a container that runs.
      await remove(false).catch((error: unknown) => {
        if (statusOf(error) !== 409) throw error;
        return remove(true);
      });
    } catch (error) {
      throw aboutReplica(error, service, slot);
    }
    return undefined;
  },
};

/** Does one action by its row of the table. */
export function perform<K extends Kind>(
  parts: PerformParts,
  action: ActionOf<K> & { readonly kind: K },
  context: ActionContext,
  signal: AbortSignal,
): Promise<ReplicaId | undefined> {
  return TABLE[action.kind](parts, action, context, signal);
}

function choosesFromRange(service: Service | undefined): boolean {
  return service?.template.ports.some(({ published }) => published?.includes("-")) === true;
}

function identityOf(parts: PerformParts, id: string, slot: number, context: ActionContext): ReplicaIdentity {
  const { project, service, task } = context;
  if (service === undefined) throw notInProject("service", id, project.name);
  const { instanceId } = parts;
  return { project, service, slot, instanceId, ...(task === undefined ? {} : { task }) };
}

function ipamConfig(subnet: {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ipRange?: string;
}) {
  return {
    ...(subnet.subnet === undefined ? {} : { Subnet: subnet.subnet }),
    ...(subnet.gateway === undefined ? {} : { Gateway: subnet.gateway }),
    ...(subnet.ipRange === undefined ? {} : { IPRange: subnet.ipRange }),
  };
}

function unless(isFine: (error: unknown) => boolean): (error: unknown) => void {
  return (error) => {
    if (!isFine(error)) throw error;
  };
}

function notInProject(what: string, name: string, project: string): FlyballError {
  return new FlyballError("INTERNAL", `the action names the ${what} ${name}, which ${project} does not have`);
}
