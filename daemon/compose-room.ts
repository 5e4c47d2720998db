/** Loaded when a project is given: a daemon that only goes on with what it knows does without its 8 MB. */
export async function composeRoom() {
  const [loader, requests] = await Promise.all([
    import("../orchestrator/compose/load.ts"),
    import("../orchestrator/project-request.ts"),
  ]);
  return { ...loader, ...requests };
}
