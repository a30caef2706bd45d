// Runs before each test file, that is before any logger is made: quiet unless asked (LOG_LEVEL=debug npm test).
process.env.LOG_LEVEL ??= 'silent';
