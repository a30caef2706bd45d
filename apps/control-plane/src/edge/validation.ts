import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { GatewayError, type FieldProblem } from '#libs/errors';

/** Bodies and queries become instances of their DTO, or are refused with every problem by its dotted path. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    // One problem for each field is enough, and the first is the plainest: its type.
    stopAtFirstError: true,
    exceptionFactory: (errors) =>
      new GatewayError('validation_failed', undefined, { fields: fieldProblems(errors) }),
  });
}

/** More would only make the answer long. */
const MAX_PROBLEMS = 100;

function fieldProblems(errors: readonly ValidationError[], parent = ''): FieldProblem[] {
  const problems = errors.flatMap((error) => {
    const field = parent === '' ? error.property : `${parent}.${error.property}`;
    const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
      field,
      message: plain(rule, message, error.property),
    }));
    return [...own, ...fieldProblems(error.children ?? [], field)];
  });
  return problems.slice(0, MAX_PROBLEMS);
}

/** class-validator's sentences without their subject, which is the field. */
function plain(rule: string, message: string, property: string): string {
  if (rule === 'whitelistValidation') return 'is not a known field';
  return message.replace(`each value in ${property}`, 'each value').replace(`${property} `, '');
}
