// Command heartbeat is the Lambda function that keeps the lease of an attempt alive.
package main

import (
	"github.com/supermax-hpo/supermax/lambdas/function"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

func main() {
	function.Main("heartbeat", (*handler.Service).Heartbeat)
}
