import { refusalOf } from './refusal';

describe('a refusal', () => {
  it.each([
    [
      400,
      {
        code: 'validation_failed',
        title: 'Not valid',
        requestId: 'r1',
        errors: [
          { field: 'a.0', message: 'must be' },
          { field: '', message: 'is odd' },
        ],
      },
      '400 validation_failed: a.0 must be; the document is odd (request r1)',
    ],
    [
      404,
      { code: 'tenant_not_found', title: 'There is no such tenant' },
      '404 tenant_not_found: There is no such tenant',
    ],
    [
      409,
      { code: 'conflict', title: 'Conflict', detail: 'it was\nreplaced' },
      '409 conflict: it was\\nreplaced',
    ],
    [502, {}, '502 without a code: no reason given'],
  ])('%i is one line', (status, body, line) => {
    expect(refusalOf(status, body)).toMatchObject({ message: line, exitCode: 1, status });
  });
});
