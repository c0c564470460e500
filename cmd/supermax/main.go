// Supermax searches hyper-parameters for transformer classifiers: it explores with TPE
// and ASHA, refines with NSGA-II on F1-macro and calibration, and confirms by
// cross-validation.
package main

import (
	"os"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
