/** The parts that PromQL expressions of the boards are made of. Words after a `$` are variables of the board. */

/** A variable of the board, where more may follow it. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** A series of the daemon's page belongs to one service of one daemon. */
export const SAME_SERVICE = "on (job, instance, service)";

/** The services with the chosen values of the chosen business label. */
export const CHOSEN_SERVICES = 'flyball_service_labels{$label=~"$value"}';

/** `expression`, of the chosen services only. */
export function ofChosen(expression: string): string {
  return `${expression} and ${SAME_SERVICE} ${CHOSEN_SERVICES}`;
}

/** The sum for each value of the chosen business label; `expression` has one series for each service. */
export function byLabel(expression: string): string {
  return `sum by ($label) (${CHOSEN_SERVICES} * ${SAME_SERVICE} group_left () ${expression})`;
}

/** The part of `expression` that comes from daemons. */
export function ofDaemons(expression: string): string {
  return `${expression} and on (job, instance) flyball_sample_batches_total`;
}

/** The part of `expression` that comes from collectors. */
export function ofCollectors(expression: string): string {
  return `${expression} and on (job, instance) flyball_collector_info`;
}

/** Per second, over as long as the scrapes and the width of the picture ask for. */
export function rate(selector: string): string {
  return `rate(${selector}[$__rate_interval])`;
}
