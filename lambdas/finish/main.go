// Command finish is the Lambda function that chooses the configuration of a study and exports it.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("finish", (*handler.Service).Finish, function.Results)
}
