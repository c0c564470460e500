// Command create is the Lambda function that makes the studies of an execution, or takes them up where they are.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("create", (*handler.Service).Start, function.Results, function.Data)
}
