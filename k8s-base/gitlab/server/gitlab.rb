# The settings of GitLab 19.5, as Ruby. README.md says for each where it is documented, and a test compares the two.
# TLS ends at the edge, which must send X-Forwarded-For; users see https.
external_url "https://#{ENV.fetch('GITLAB_HOST')}"
gitlab_rails['nginx']['listen_port'] = 80
gitlab_rails['nginx']['listen_https'] = false
gitlab_rails['nginx']['proxy_set_headers'] = { 'X-Forwarded-Proto' => 'https', 'X-Forwarded-Ssl' => 'on' }
letsencrypt['enable'] = false

# The edge connects to the registry itself, because NGINX between them would only be one more limit of bodies and times. Rails
# connects to it inside of the pod.
registry_external_url "https://#{ENV.fetch('REGISTRY_HOST')}"
registry['nginx']['enable'] = false
registry['registry_http_addr'] = '0.0.0.0:5000'
gitlab_rails['registry_api_url'] = 'http://127.0.0.1:5000'

# Read once, when the database is created.
gitlab_rails['initial_root_password'] = File.read('/secrets/root-password').strip

# Memory: one process of Puma, few threads of Sidekiq, and memory that is returned to the system.
puma['worker_processes'] = 0
sidekiq['concurrency'] = 10
gitlab_rails['env'] = { 'MALLOC_CONF' => 'dirty_decay_ms:1000,muzzy_decay_ms:1000' }
gitaly['env'] = { 'MALLOC_CONF' => 'dirty_decay_ms:1000,muzzy_decay_ms:1000', 'GITALY_COMMAND_SPAWN_MAX_PARALLEL' => '2' }

# Not used here: the agent, because jobs deploy with a service account, and mail, because no policy lets it out.
gitlab_kas['enable'] = false
gitlab_rails['gitlab_email_enabled'] = false

# Prometheus is outside of the pod, and reads gitlab-exporter and the registry.
prometheus['enable'] = false
alertmanager['enable'] = false
node_exporter['enable'] = false
redis_exporter['enable'] = false
postgres_exporter['enable'] = false
gitlab_exporter['enable'] = true
gitlab_exporter['listen_address'] = '0.0.0.0'
gitlab_exporter['listen_port'] = '9168'
registry['debug_addr'] = '0.0.0.0:5001'

# Seven days, in seconds.
gitlab_rails['backup_keep_time'] = 604800
