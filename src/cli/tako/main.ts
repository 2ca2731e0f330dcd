#!/usr/bin/env node
import { runMain } from '../program.ts';
import { takoProgram } from './definition.ts';

await runMain(takoProgram, process.argv.slice(2));
