package awscall

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// alone takes away what the machine's own environment says of AWS.
func alone(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "", "AWS_ENDPOINT_URL_LAMBDA": "", "AWS_PROFILE": "", "AWS_DEFAULT_REGION": "",
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

func TestConfig(t *testing.T) {
	alone(t)
	cfg, err := Config(t.Context())
	if err != nil || cfg.Region != "eu-west-1" || cfg.BaseEndpoint != nil {
		t.Fatalf("got %+v, %v", cfg, err)
	}
	if S3(cfg).Options().UsePathStyle {
		t.Error("AWS's own buckets are addressed by path")
	}
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok || client.GetTransport().ResponseHeaderTimeout != headerTimeout {
		t.Errorf("the HTTP client %T waits for ever", cfg.HTTPClient)
	}
	t.Setenv("AWS_REGION", "")
	if _, err := Config(t.Context()); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("without a region: %v", err)
	}
}

// Buckets are addressed by path wherever the endpoint is not AWS's own.
func TestS3PathStyle(t *testing.T) {
	alone(t)
	for endpoint, want := range map[string]bool{
		"http://127.0.0.1:4566":               true,
		"http://localhost.localstack.cloud":   true,
		"https://s3.eu-west-1.amazonaws.com":  false,
		"https://S3.Amazonaws.com.":           false,
		"https://s3.dualstack.x.api.aws":      false,
		"https://notamazonaws.com":            true,
		"https://amazonaws.com.evil.example/": true,
		"%":                                   true,
	} {
		t.Setenv("AWS_ENDPOINT_URL", "")
		t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
		cfg, err := Config(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if endpoint != "%" && S3(cfg).Options().UsePathStyle != want {
			t.Errorf("AWS_ENDPOINT_URL_S3=%s: by path is %t", endpoint, !want)
		}
		cfg.BaseEndpoint = &endpoint
		if S3(cfg).Options().UsePathStyle != want {
			t.Errorf("endpoint %s: by path is %t", endpoint, !want)
		}
	}
}

func TestRetryer(t *testing.T) {
	alone(t)
	cfg, err := Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := cfg.Retryer()
	if r.MaxAttempts() != attempts {
		t.Errorf("%d attempts, want %d", r.MaxAttempts(), attempts)
	}
	for attempt, longest := range map[int]time.Duration{0: firstPause, 1: firstPause, 2: 2 * firstPause, 5: 16 * firstPause, 9: longestPause, 99: longestPause} {
		d, err := r.RetryDelay(attempt, errors.New("x"))
		if err != nil || d < longest/2 || d > longest {
			t.Errorf("after attempt %d wait %v, %v; want %v to %v", attempt, d, err, longest/2, longest)
		}
	}
	broken := &smithy.DeserializationError{Err: errors.New("XML ends")}
	if r.IsErrorRetryable(broken) {
		t.Error("a call that may take effect twice is repeated after a broken answer")
	}
	onS3 := S3(cfg).Options().Retryer
	for err, want := range map[error]bool{
		broken: true, errors.New("x"): false, &smithy.GenericAPIError{Code: "AccessDenied"}: false, &smithy.GenericAPIError{Code: "SlowDown"}: true,
	} {
		if onS3.IsErrorRetryable(err) != want {
			t.Errorf("S3 repeats after %v: %t", err, !want)
		}
	}
	if aws.ToString(cfg.BaseEndpoint) != "" || http.DefaultTransport.(*http.Transport).ResponseHeaderTimeout != 0 {
		t.Error("the process's own transport was changed")
	}
}
