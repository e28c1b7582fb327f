// Not a module on purpose: tsconfig "paths" points packages here that a layer may not import (TS2306).
