import type { z } from "zod";
import {
  auditLineSchema,
  auditSchema,
  autoscaleAnswerSchema,
  autoscaleRequestSchema,
  decisionListSchema,
  decisionSchema,
  diagnosticSchema,
  explanationSchema,
  problemSchema,
  projectAnswerSchema,
  projectRequestSchema,
  readinessSchema,
  replicaViewSchema,
  ruleVerdictSchema,
  scaleAnswerSchema,
  scaleRequestSchema,
  serviceDetailSchema,
  serviceListSchema,
  serviceViewSchema,
  verificationSchema,
} from "../../core/wire.ts";
import {
  createdTokenSchema,
  revokedTokenSchema,
  tokenListSchema,
  tokenRequestSchema,
  tokenViewSchema,
  writeListSchema,
  writeSchema,
} from "../../core/wire-access.ts";
import {
  ackRequestSchema,
  alertListSchema,
  alertSchema,
  channelTestSchema,
  channelViewSchema,
  matcherSchema,
  silenceListSchema,
  silenceRequestSchema,
  silenceSchema,
} from "../../core/wire-alerts.ts";
import {
  doctorSchema,
  failureListSchema,
  leftoversSchema,
  sweepRequestSchema,
  sweptSchema,
} from "../../core/wire-care.ts";
import {
  endpointDirectorySchema,
  endpointSetSchema,
  targetGroupListSchema,
} from "../../core/wire-endpoints.ts";
import { historySchema, scalingPolicySchema } from "../../core/wire-history.ts";
import { jobListSchema, logsSchema, runListSchema, runSchema } from "../../core/wire-jobs.ts";
import { rolloutListSchema, rolloutSchema, trialChangeSchema } from "../../core/wire-rollouts.ts";
import {
  actionEventSchema,
  clientFrameSchema,
  samplesSchema,
  serverFrameSchema,
} from "../../core/wire-stream.ts";

import { openApiSchema } from "./schema.ts";

/** What is said, by the names that programs made from the document will know it by. */
export const SAID: Readonly<Record<string, z.ZodType>> = {
  ActionEvent: actionEventSchema,
  Alert: alertSchema,
  AlertList: alertListSchema,
  Audit: auditSchema,
  AuditLine: auditLineSchema,
  AutoscaleAnswer: autoscaleAnswerSchema,
  Channel: channelViewSchema,
  ChannelTest: channelTestSchema,
  CreatedToken: createdTokenSchema,
  Decision: decisionSchema,
  DecisionList: decisionListSchema,
  Diagnostic: diagnosticSchema,
  Doctor: doctorSchema,
  EndpointDirectory: endpointDirectorySchema,
  EndpointSet: endpointSetSchema,
  Explanation: explanationSchema,
  FailureList: failureListSchema,
  History: historySchema,
  JobList: jobListSchema,
  Leftovers: leftoversSchema,
  Logs: logsSchema,
  Matcher: matcherSchema,
  OpenApi: openApiSchema,
  Problem: problemSchema,
  ProjectAnswer: projectAnswerSchema,
  Readiness: readinessSchema,
  Replica: replicaViewSchema,
  RevokedToken: revokedTokenSchema,
  Rollout: rolloutSchema,
  RolloutList: rolloutListSchema,
  RuleVerdict: ruleVerdictSchema,
  Run: runSchema,
  RunList: runListSchema,
  Samples: samplesSchema,
  ScaleAnswer: scaleAnswerSchema,
  ScalingPolicy: scalingPolicySchema,
  ServerFrame: serverFrameSchema,
  Service: serviceViewSchema,
  ServiceDetail: serviceDetailSchema,
  ServiceList: serviceListSchema,
  Silence: silenceSchema,
  SilenceList: silenceListSchema,
  Swept: sweptSchema,
  TargetGroupList: targetGroupListSchema,
  Token: tokenViewSchema,
  TokenList: tokenListSchema,
  Verification: verificationSchema,
  Write: writeSchema,
  WriteList: writeListSchema,
};

/** What is heard. */
export const HEARD: Readonly<Record<string, z.ZodType>> = {
  AckRequest: ackRequestSchema,
  AutoscaleRequest: autoscaleRequestSchema,
  ClientFrame: clientFrameSchema,
  ProjectRequest: projectRequestSchema,
  ScaleRequest: scaleRequestSchema,
  SilenceRequest: silenceRequestSchema,
  SweepRequest: sweepRequestSchema,
  TokenRequest: tokenRequestSchema,
  TrialChange: trialChangeSchema,
};
