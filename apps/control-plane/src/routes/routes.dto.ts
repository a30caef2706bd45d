import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { Nested } from '../edge/nested';
import { RouteDto } from '../tenants/tenant.dto';

@ApiSchema({ name: 'Routes' })
export class RoutesDto {
  @Nested(() => RouteDto, { list: true })
  allowedRoutes!: RouteDto[];
}

export class RouteSelector {
  @ApiProperty({ type: String, example: '/v1/users' })
  @IsString()
  path!: string;

  @ApiPropertyOptional({
    type: String,
    example: 'GET',
    description: 'Only this method; absent: every route of the path.',
  })
  @IsOptional()
  @IsString()
  method?: string;
}

@ApiSchema({ name: 'PublishedRoute' })
export class PublishedRouteDto {
  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({
    type: String,
    example: '/api/v1/users',
    description: 'As clients ask for it, with everything under it.',
  })
  path!: string;

  @ApiProperty({ type: [String], nullable: true, description: 'null: any method.' })
  methods!: string[] | null;

  @ApiProperty({ type: Boolean, description: 'Whether a bearer token is required, after all defaults.' })
  requiresJwt!: boolean;

  @ApiProperty({ type: String, example: 'https://internal-api.acme.com/v1/users' })
  upstreamUrl!: string;

  @ApiProperty({ type: Boolean })
  suspended!: boolean;
}

@ApiSchema({ name: 'PublishedRoutes' })
export class PublishedRoutesDto {
  @ApiProperty({ type: [PublishedRouteDto] })
  routes!: PublishedRouteDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}
