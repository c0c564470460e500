// Command promote is the Lambda function that closes a stage and hands its best trials on.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("promote", (*handler.Service).Promote, function.Results)
}
