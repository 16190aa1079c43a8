//! The Secret and the overlay for Kubernetes. Owns their text. Values are quoted as JSON strings, which are
//! also YAML.

use std::fmt::Write as _;

use secrecy::SecretString;
use url::Url;

use super::secret_file::SecretFile;

/// The Secret `webhook-app`, without a namespace, so that `kubectl apply -n` chooses it.
pub(crate) fn secret_manifest(secrets: &SecretFile) -> SecretString {
    let mut text = String::from(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: webhook-app\n  labels:\n    app.kubernetes.io/name: webhook-app\n    app.kubernetes.io/instance: webhook-app\nstringData:\n",
    );
    for (name, value) in secrets.settings() {
        let _ = writeln!(text, "  {name}: {}", quoted(value));
    }
    text.into()
}

/// An overlay that generates the Secret from the file beside it.
pub(crate) fn kustomization(chat: &Url, recipient: &str, file: &str) -> String {
    let chat = chat.as_str().trim_end_matches('/');
    let chat = quoted(&format!("ROCKETCHAT_URL={chat}"));
    let recipient = quoted(&format!("ROCKETCHAT_RECIPIENT={recipient}"));
    let file = quoted(file);
    format!(
        "# Written by webhook-app setup. Change the path of k8s-base, the image and the recipient.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: webhook-app
resources: [../k8s-base]                 # or ../knative
images: [{{name: registry.example.com/webhook-app, newName: registry.example.org/team/webhook-app, newTag: {}}}]
configMapGenerator:
  - name: webhook-app
    behavior: merge
    literals:
      - {chat}
      - {recipient}
secretGenerator:
  - name: webhook-app
    envs: [{file}]
",
        env!("CARGO_PKG_VERSION")
    )
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
