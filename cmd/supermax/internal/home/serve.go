package home

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/lambdas/handler"
)

// listen takes a port of the loopback interface; 0 takes a free one.
func listen(port int) (net.Listener, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, mistake.Errorf("--port %d is in use by another program: choose another, or 0 for any free one", port)
	case errors.Is(err, syscall.EACCES):
		return nil, mistake.Errorf("--port %d is not allowed to this user: choose one above 1023, or 0 for any free one", port)
	case err != nil:
		return nil, fmt.Errorf("listen on the loopback interface: %w", err)
	}
	return listener, nil
}

// server serves the handlers to this machine's trainers.
type server struct {
	endpoint string
	token    string
	http     *http.Server
}

// serve answers on the listener until it is closed; failed is told when it ends before.
// Only who knows the token, which is new in every run, is answered.
func serve(service *handler.Service, listener net.Listener, failed func(error)) *server {
	s := &server{endpoint: "http://" + listener.Addr().String(), token: rand.Text()}
	s.http = &http.Server{Handler: handler.HTTP(service, s.token), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	}()
	return s
}

// close lets calls in flight end.
func (s *server) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.http.Shutdown(ctx) // a call that does not end in time is repeated by nobody: the trainers are gone
}
