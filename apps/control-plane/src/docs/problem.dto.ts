import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ERRORS } from '#libs/errors';

@ApiSchema({ name: 'FieldProblem' })
export class FieldProblemDto {
  @ApiProperty({
    type: String,
    example: 'allowedRoutes.0.path',
    description: 'Dotted path; empty for the whole document.',
  })
  field!: string;

  @ApiProperty({ type: String, example: 'must be a text' })
  message!: string;
}

@ApiSchema({ name: 'Problem', description: 'RFC 9457 problem details, with a stable code.' })
export class ProblemDto {
  @ApiProperty({ type: String, example: 'urn:gatehouse:error:validation_failed' })
  type!: string;

  @ApiProperty({ type: String })
  title!: string;

  @ApiProperty({ type: Number, minimum: 400, maximum: 599 })
  status!: number;

  @ApiProperty({ type: String, enum: Object.keys(ERRORS) })
  code!: string;

  @ApiPropertyOptional({ type: String })
  detail?: string;

  @ApiPropertyOptional({ type: String, description: 'Also in the header X-Request-Id and in the log.' })
  requestId?: string;

  @ApiPropertyOptional({ type: String, description: 'Of the data plane, where tracing is on.' })
  traceId?: string;

  @ApiPropertyOptional({
    type: [FieldProblemDto],
    description: 'With `validation_failed`: every refused field.',
  })
  errors?: FieldProblemDto[];
}
