// Command stop is the Lambda function that stops a study until it is started again.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("stop", (*handler.Service).Stop)
}
