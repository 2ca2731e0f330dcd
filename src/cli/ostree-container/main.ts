#!/usr/bin/env node
import { runMain } from '../program.ts';
import { ostreeContainerProgram } from './definition.ts';

await runMain(ostreeContainerProgram, process.argv.slice(2));
