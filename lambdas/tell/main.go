// Command tell is the Lambda function that takes the outcome of an attempt.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("tell", (*handler.Service).Tell)
}
