/** Where Flyball means to read a compose file otherwise than `docker compose` 2.26.1. */
export interface Difference {
  readonly title: string;
  readonly reason: string;
  /** A compose file that shows it. */
  readonly example: string;
  /** Further files of the example by name; those called compose.override.yaml are merged onto it. */
  readonly files?: Readonly<Record<string, string>>;
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
    title: "the same port in the short form and with a number as published",
    reason: "it is one port; docker compose lists it twice",
    example: 'services: {web: {image: a, ports: [{target: 80, published: 80}, "80:80"]}}',
    dockerCompose: "accepts",
    flyball: "accepts otherwise",
  },
  {
    title: "address pools of two files",
    reason: "docker compose mixes pools of different subnets",
    example:
      "services: {web: {image: a}}\nnetworks: {default: {ipam: {config: [{subnet: 10.0.0.0/8}, {subnet: 11.0.0.0/8, gateway: 11.0.0.1}]}}}",
    files: {
      "compose.override.yaml":
        "networks: {default: {ipam: {config: [{subnet: 11.0.0.0/8, ip_range: 11.1.0.0/16}, {subnet: 12.0.0.0/8}]}}}",
    },
    dockerCompose: "accepts",
    flyball: "accepts otherwise",
  },
  {
    title: "a file that is extended is checked as a whole",
    reason: "a typo in it is found before the service is used",
    example: "services: {web: {extends: {file: base.yaml, service: web}}}",
    files: { "base.yaml": "services: {web: {image: a}, other: {imag: a}}" },
    dockerCompose: "accepts",
    flyball: "refuses",
  },
  {
    title: "a bare name in the last line of an .env file without a line break",
    reason: "docker compose makes a variable without a name of it",
    example: "services: {web: {image: a, env_file: web.env}}",
    files: { "web.env": "A=1\nHOME" },
    dockerCompose: "accepts",
    flyball: "accepts otherwise",
  },
  {
    title: "the develop section is left out of the project",
    reason: "it is for `docker compose watch`; a warning names it",
    example: "services: {web: {image: a, develop: {watch: [{path: ./x, action: rebuild}]}}}",
    dockerCompose: "accepts",
    flyball: "accepts otherwise",
  },
  {
    title: "names that start with x- among variables and labels",
    reason: "they are names like any other there; docker compose writes #extensions in their place",
    example: "services: {web: {image: a, labels: {x-team: b}}}",
    dockerCompose: "accepts",
    flyball: "accepts otherwise",
  },
  {
    title: "an empty document after ---",
    reason: "it says nothing, like an empty file",
    example: "services: {web: {image: a}}\n---\n",
    dockerCompose: "refuses",
    flyball: "accepts",
  },
];
