import { buildFilter } from "./filter.ts";
import { buildOverview } from "./overview.ts";
import { buildTable } from "./table.ts";

buildTable();
buildFilter();
buildOverview();
