// Package nested makes the stacks within the top stack.
package nested

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// New makes a nested stack. Its logical name is the plain id: CloudFormation makes the
// names of tables and buckets from it, which people read.
func New(scope constructs.Construct, id, description string) awscdk.NestedStack {
	stack := awscdk.NewNestedStack(scope, jsii.String(id), &awscdk.NestedStackProps{Description: jsii.String(description)})
	stack.NestedStackResource().OverrideLogicalId(jsii.String(id))
	return stack
}
