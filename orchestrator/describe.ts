import type { Action, Hold } from "../core/types.ts";

/** One engine call in a few words: `create shop_web 2`. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case "pull-image":
      return `pull ${action.image}`;
    case "create-network":
      return `create network ${action.network}`;
    case "remove-network":
      return `remove network ${action.network}`;
    case "create-volume":
      return `create volume ${action.volume}`;
    case "create-replica":
      return `create ${action.service} ${action.slot}`;
    case "start-replica":
      return `start ${action.service} ${action.slot}`;
    case "stop-replica":
      return `stop ${action.service} ${action.slot}`;
    case "remove-replica":
      return `remove ${action.service} ${action.slot}`;
  }
}

export function describeHold(hold: Hold): string {
  const subject = hold.slot === undefined ? hold.service : `${hold.service} ${hold.slot}`;
  return `${subject}: ${hold.reason}`;
}
