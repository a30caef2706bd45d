import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** What a controller needs to have the guard judge a request once more. */
export type Execution = ExecutionContext;

/** Parameter: the execution itself, for operations that outlast the judgement they began with. */
export const TheExecution = createParamDecorator(
  (_: unknown, context: ExecutionContext): Execution => context,
);
