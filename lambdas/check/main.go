// Command check is the Lambda function that says how far a stage is, and takes back what lost slots held.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("check", (*handler.Service).Check)
}
