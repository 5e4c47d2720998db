import { haproxyPrograms, skipWithoutHaproxy } from "../lab/haproxy.ts";

/** What may lead requests here. */
export interface BalancerProgram {
  /** `HAProxy 3.0`, `the built-in balancer` */
  readonly name: string;
  /** What `traffic.haproxy` names; of the built-in one a program that is not there. */
  readonly path: string;
  readonly isHaproxy: boolean;
  /** The `skip` option of tests that need it. */
  readonly skip: string | false;
}

export const BUILT_IN: BalancerProgram = {
  name: "the built-in balancer",
  path: "/nowhere/haproxy",
  isHaproxy: false,
  skip: false,
};

/** Each HAProxy that is here; one that cannot be run where there is none, so that what is missing is told. */
export function haproxyBalancers(): BalancerProgram[] {
  const programs = haproxyPrograms();
  const skip = skipWithoutHaproxy(programs);
  const found = programs.map(({ name, path }) => ({ name: `HAProxy ${name}`, path, isHaproxy: true, skip }));
  return skip === false ? found : [{ name: "HAProxy", path: "haproxy", isHaproxy: true, skip }];
}

/** The same stories are told of all of them. */
export function allBalancers(): BalancerProgram[] {
  return [...haproxyBalancers(), BUILT_IN];
}
