// Command on-job-event is the Lambda function that gives back what a slot held whose Batch
// job has ended. EventBridge calls it.
package main

import "github.com/supermax-hpo/supermax/lambdas/function"

func main() {
	function.MainJobEvents("on-job-event")
}
