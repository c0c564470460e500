// Command aggregate is the Lambda function that checks the metrics of a stage and writes its tables and exports.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("aggregate", (*handler.Service).Aggregate, function.Results)
}
