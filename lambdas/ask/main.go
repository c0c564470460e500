// Command ask is the Lambda function that gives a slot its next work.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("ask", (*handler.Service).Ask)
}
