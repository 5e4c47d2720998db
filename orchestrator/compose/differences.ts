/** Where Flyball means to read a compose file otherwise than `docker compose` 2.26.1. */
export interface Difference {
  readonly title: string;
  readonly reason: string;
  /** A compose file that shows it. */
  readonly example: string;
  /** What each does with the example; `otherwise` is another result than docker compose's. */
  readonly dockerCompose: "accepts" | "refuses";
  readonly flyball: "accepts" | "refuses" | "accepts otherwise";
}

/** Every known one; the tests run each example through both. */
export const DIFFERENCES: readonly Difference[] = [
  {
    title: "a service may have only a command",
    reason: "the process engine needs no image",
    example: "services: {web: {command: [node, server.js]}}",
    dockerCompose: "refuses",
    flyball: "accepts",
  },
  {
    title: "a negative number of replicas",
    reason: "it has no meaning",
    example: "services: {web: {image: a, deploy: {replicas: -1}}}",
    dockerCompose: "accepts",
    flyball: "refuses",
  },
  {
    title: "a default of a variable may have several lines",
    reason: "later versions of docker compose take it too",
    example: `services: {web: {image: a, labels: {x: "\${X:-a\\nb}"}}}`,
    dockerCompose: "refuses",
    flyball: "accepts",
  },
  {
    title: "a default that is not needed is not evaluated",
    reason: "as in a shell: a variable that is required only inside it is then not required",
    example: `services: {web: {image: "\${HOME:-\${NOT_SET:?is required}}"}}`,
    dockerCompose: "refuses",
    flyball: "accepts",
  },
  {
    title: "unknown YAML tags",
    reason: "docker compose ignores them in silence",
    example: "services: {web: {image: !secret a}}",
    dockerCompose: "accepts",
    flyball: "refuses",
  },
  {
    title: "dates and very long numbers without quotes stay as they are written",
    reason: "docker compose prints 2020-01-01 as a time of day and rounds long numbers",
    example: "services: {web: {image: a, labels: {since: 2020-01-01, id: 123456789012345678901}}}",
    dockerCompose: "accepts",
    flyball: "accepts otherwise",
  },
  {
    title: "the same entry twice in a list",
    reason: "it does no harm, and one of two merged files may repeat the other",
    example: "services: {web: {image: a, security_opt: [x, x]}}",
    dockerCompose: "refuses",
    flyball: "accepts",
  },
  {
    title: "truth values and numbers in quotes",
    reason: "a variable's value is always a text",
    example:
      'services: {web: {image: a, depends_on: {b: {condition: service_started, required: "true"}}}, b: {image: b}}',
    dockerCompose: "refuses",
    flyball: "accepts",
  },
  {
    title: "fractions where a whole number is wanted",
    reason: "docker compose cuts shares and counts down and takes a fraction of a byte for no limit at all",
    example: "services: {web: {image: a, mem_limit: 1000.5}}",
    dockerCompose: "accepts",
    flyball: "refuses",
  },
  {
    title: "a bind mount with an empty source",
    reason: "docker compose mounts the project's directory, which is seldom meant",
    example: 'services: {web: {image: a, volumes: [{type: bind, source: "", target: /data}]}}',
    dockerCompose: "accepts",
    flyball: "refuses",
  },
  {
    title: "unknown types of mounts",
    reason: "the engine would refuse them later",
    example: "services: {web: {image: a, volumes: [{type: floppy, source: x, target: /data}]}}",
    dockerCompose: "accepts",
    flyball: "refuses",
  },
  {
    title: "an empty document after ---",
    reason: "it says nothing, like an empty file",
    example: "services: {web: {image: a}}\n---\n",
    dockerCompose: "refuses",
    flyball: "accepts",
  },
];
