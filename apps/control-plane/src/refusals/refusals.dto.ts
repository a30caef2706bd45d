import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import { PageQuery } from '../edge/page.dto';
import { PortalPageQuery } from '../edge/portal-query.dto';
import { QuestionDto } from '../explain/explanation.dto';

const CODE = { type: String, example: 'rate_limited', description: 'Only refusals of this code.' };

export class RefusalsQuery extends PageQuery {
  @ApiPropertyOptional({
    type: String,
    description: 'Id of a tenant; `-`: those of whom nobody knows whose they are.',
  })
  @IsOptional()
  @Matches(/^(?:-|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$/, { message: 'must be the id of a tenant, or -' })
  tenant?: string;

  @ApiPropertyOptional(CODE)
  @IsOptional()
  @IsString()
  code?: string;
}

export class MyRefusalsQuery extends PortalPageQuery {
  @ApiPropertyOptional(CODE)
  @IsOptional()
  @IsString()
  code?: string;
}

@ApiSchema({
  name: 'Refusal',
  description: 'A request that was refused. Of its headers only the names are kept.',
})
export class RefusalDto {
  @ApiProperty({ type: String, description: 'Sorts by time.' })
  id!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;

  @ApiProperty({ type: String })
  replica!: string;

  @ApiProperty({ type: String })
  requestId!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null: nobody knows whose it is.' })
  tenantId!: string | null;

  @ApiProperty({ type: String, nullable: true })
  serviceId!: string | null;

  @ApiProperty({ type: String, nullable: true })
  route!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Id of the API key, where that was accepted.' })
  keyId!: string | null;

  @ApiProperty({ type: String })
  method!: string;

  @ApiProperty({ type: String, description: 'Without its query.' })
  path!: string;

  @ApiProperty({ type: String })
  host!: string;

  @ApiProperty({ type: String })
  clientAddress!: string;

  @ApiProperty({ type: 'integer' })
  status!: number;

  @ApiProperty({ type: String, example: 'rate_limited' })
  code!: string;

  @ApiProperty({ type: String })
  title!: string;

  @ApiProperty({ type: String, nullable: true })
  detail!: string | null;

  @ApiProperty({ type: String, example: 'rate_limit', description: 'The step that has refused it.' })
  guard!: string;

  @ApiProperty({ type: [String] })
  headerNames!: string[];

  @ApiProperty({ type: Boolean })
  hadApiKey!: boolean;

  @ApiProperty({ type: Boolean })
  hadAuthorization!: boolean;

  @ApiProperty({
    type: QuestionDto,
    description: 'To be asked again: what would become of such a request now, as far as it is known.',
  })
  question!: QuestionDto;
}

@ApiSchema({ name: 'Refusals' })
export class RefusalsDto {
  @ApiProperty({ type: [RefusalDto] })
  refusals!: RefusalDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null on the last page. A page may be short and have one.',
  })
  nextCursor!: string | null;
}
