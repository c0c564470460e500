// Command empty is a Lambda function that does nothing: what every call costs before ours
// begins. The ask benchmark is measured against it.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context) error { return nil })
}
