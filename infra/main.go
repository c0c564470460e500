// Command infra is the CDK app: cdk runs it to learn what a deployment consists of. It
// reads the CDK context and the environment, and calls nobody.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/settings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
		os.Exit(1)
	}
}

func run() error {
	defer jsii.Close()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	app := awscdk.NewApp(nil)
	s, err := settings.Read(func(key string) any { return app.Node().TryGetContext(jsii.String(key)) }, defaultArch())
	if err != nil {
		return err
	}
	lambdas, err := buildFunctions(root, s.Arch)
	if err != nil {
		return err
	}
	if err := newSupermax(app, s, source{Root: root, Lambdas: lambdas, Docker: s.Image == "" && dockerAnswers()}); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}

// defaultArch is what AWS runs cheaper, or what this machine runs where an endpoint on it
// stands for AWS. scripts/lambdas.sh follows the same rule.
func defaultArch() string {
	if os.Getenv("AWS_ENDPOINT_URL") != "" {
		return runtime.GOARCH
	}
	return "arm64"
}
