import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsArray, IsOptional, ValidateNested } from 'class-validator';

interface NestedOptions {
  list?: boolean;
  optional?: boolean;
  nullable?: boolean;
  description?: string;
}

/** A property that is an object of `type`, or a list of them: typed, checked inside, documented. */
export function Nested(type: () => Class, options: NestedOptions = {}): PropertyDecorator {
  const { list = false, optional = false, nullable = false, description } = options;
  return applyDecorators(
    // Swagger takes a function for a lazy type only if it is called `type`, which a property's is.
    ApiProperty({ type: () => type(), isArray: list, required: !optional, nullable, description }),
    Type(type),
    ValidateNested({ each: list, message: 'must be an object' }),
    ...(list ? [IsArray({ message: 'must be a list' })] : []),
    ...(optional ? [IsOptional()] : []),
  );
}
