"""The ground of every process: settings, logging, Sentry, metrics. Imports nothing of ours."""
