// The script of the hosted page.

import "./page.js";
import "./offline.js";
