// Command plan is the Lambda function that opens a stage of a study.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("plan", (*handler.Service).Plan)
}
