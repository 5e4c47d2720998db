/** `user:` of a service, as numbers. */
import { readFileSync } from "node:fs";

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

export interface UserEntry extends UserIds {
  readonly name: string;
  readonly home: string;
}

/** The lines of /etc/passwd. */
export function parsePasswd(text: string): UserEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(":");
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home: home ?? "/" }];
  });
}

/** Group names of /etc/group and their numbers. */
export function parseGroup(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split("\n").flatMap((line): [string, number][] => {
      const [name, , gid] = line.split(":");
      return name === undefined || gid === undefined ? [] : [[name, Number(gid)]];
    }),
  );
}

export interface Accounts {
  readonly users: readonly UserEntry[];
  readonly groups: ReadonlyMap<string, number>;
}

export function readAccounts(): Accounts {
  return { users: parsePasswd(readOr("/etc/passwd")), groups: parseGroup(readOr("/etc/group")) };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** `user`, `user:group`, each a name or a number; a string says what is not known here. */
export function resolveUser(
  text: string,
  accounts: Accounts,
): (UserIds & { readonly entry?: UserEntry }) | string {
  const [userPart = "", groupPart] = text.split(":");
  const uid = asNumber(userPart);
  const entry = accounts.users.find((user) =>
    uid === undefined ? user.name === userPart : user.uid === uid,
  );
  if (uid === undefined && entry === undefined) return `there is no user ${userPart} on this machine`;
  // A bare number without an account gets the group of the same number: Docker's choice, 0, is root's here.
  const ownGroup = entry?.gid ?? uid ?? 0;
  const gid = groupPart === undefined ? ownGroup : (asNumber(groupPart) ?? accounts.groups.get(groupPart));
  if (gid === undefined) return `there is no group ${groupPart} on this machine`;
  return { uid: entry?.uid ?? uid ?? 0, gid, ...(entry === undefined ? {} : { entry }) };
}

function asNumber(text: string): number | undefined {
  return /^\d+$/u.test(text) ? Number(text) : undefined;
}
