// Package emulator gives tests their AWS account: the local emulator that
// AWS_ENDPOINT_URL names (`make localstack-up` prints it), or, by flag only, a real one.
//
// Nothing here knows which emulator it is: any endpoint that speaks AWS's protocols
// will do. Every test makes its own table and bucket and deletes them.
package emulator

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	endpointVariable = "AWS_ENDPOINT_URL"
	accountVariable  = "SUPERMAX_TEST_AWS"
	realAccount      = "real"
)

// Config returns the configuration of the account that t may use: the emulator's, with
// credentials that no account accepts unless the environment sets some, or with
// SUPERMAX_TEST_AWS=real the default configuration of this machine. It skips t where
// there is neither, and ends it where the environment would reach a real account
// without that flag.
func Config(t testing.TB) aws.Config {
	t.Helper()
	endpoint := Endpoint(t)
	var options []func(*config.LoadOptions) error
	if endpoint != "" {
		// Shared files stay unread: a profile may name a role or an endpoint of a real account.
		options = append(options,
			config.WithSharedConfigFiles([]string{}),
			config.WithSharedCredentialsFiles([]string{}),
			config.WithBaseEndpoint(endpoint),
			config.WithRegion(environment("AWS_REGION", environment("AWS_DEFAULT_REGION", "us-east-1"))),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
				environment("AWS_ACCESS_KEY_ID", "test"), environment("AWS_SECRET_ACCESS_KEY", "test"), os.Getenv("AWS_SESSION_TOKEN"))))
	}
	loaded, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		t.Fatalf("load the AWS configuration: %v", err)
	}
	return loaded
}

// Endpoint returns the emulator's URL, for programs that a test starts, or "" for a
// real account. It skips and ends t as Config does.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint, skip, err := choose(os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if skip != "" {
		t.Skip(skip)
	}
	return endpoint
}

// S3 returns a client that addresses buckets by path on an emulator, where no name
// server knows bucket.localhost, and by host on AWS.
func S3(loaded aws.Config) *s3.Client {
	return s3.NewFromConfig(loaded, func(o *s3.Options) { o.UsePathStyle = loaded.BaseEndpoint != nil })
}

// choose reads the environment's NAME=value pairs: an endpoint that is not AWS's, ""
// for a real account that was asked for, a sentence to skip with, or an error.
func choose(environ []string) (endpoint, skip string, err error) {
	values := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	endpoint, account := values[endpointVariable], values[accountVariable]
	switch {
	case account != "" && account != realAccount:
		return "", "", fmt.Errorf("%s is %q; the only value that it knows is %q", accountVariable, account, realAccount)
	case account == realAccount && endpoint != "":
		return "", "", fmt.Errorf("%s=%s and %s=%s name two accounts: unset one", accountVariable, account, endpointVariable, endpoint)
	case account == realAccount:
		return "", "", nil
	case endpoint == "":
		return "", fmt.Sprintf("%s is not set: `make localstack-up` starts the emulator and prints it, %s=%s uses a real account",
			endpointVariable, accountVariable, realAccount), nil
	}
	if err := local(endpointVariable, endpoint); err != nil {
		return "", "", err
	}
	for name, value := range values {
		// The SDK prefers AWS_ENDPOINT_URL_S3 and its like to the general variable.
		if !strings.HasPrefix(name, endpointVariable+"_") {
			continue
		}
		if err := local(name, value); err != nil {
			return "", "", err
		}
	}
	return endpoint, "", nil
}

// local checks that value is the URL of an endpoint that is not AWS's own.
func local(name, value string) error {
	parsed, err := url.Parse(value)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return fmt.Errorf("%s is %q, which is no http:// or https:// URL with a host", name, value)
	}
	host := strings.TrimSuffix(strings.ToLower(parsed.Hostname()), ".")
	for _, domain := range []string{"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "on.aws"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return fmt.Errorf("%s=%s is a real account: set %s=%s instead if the tests shall use it", name, value, accountVariable, realAccount)
		}
	}
	return nil
}

func environment(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
