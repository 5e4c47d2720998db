/** Docker names a volume that nobody named by 64 hex digits; compose hands such a one on when it recreates. */
export function isAnonymousVolume(name: string): boolean {
  return /^[0-9a-f]{64}$/u.test(name);
}
